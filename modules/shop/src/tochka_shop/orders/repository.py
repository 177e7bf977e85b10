"""Queries on carts and orders."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tochka_shop.orders.models import Cart, CartLine, Order, OrderChange, OrderCounter, OrderLine
from tochka_shop.orders.schemas import OrderFilter, Status
from tochka_shop.owners import Repository

FIRST_NUMBER = 1001
_UNSYNCED = {"synchronize_session": False}


class CartRepository(Repository):
    """Queries on carts."""

    async def find(self, token_hash: str, *, lock: bool = False) -> Cart | None:
        """The cart of a cookie; locked, so that two submits of one form stand in line."""
        statement = select(Cart).where(
            Cart.tenant_id == self._owner.tenant_id,
            Cart.installation_id == self._owner.installation_id,
            Cart.token_hash == token_hash,
        )
        if lock:
            statement = statement.with_for_update()
        return (await self._session.scalars(statement)).one_or_none()

    async def add(self, token_hash: str) -> Cart:
        """A new, empty cart."""
        cart = Cart(**self._own, token_hash=token_hash)
        self._session.add(cart)
        await self._session.flush()
        return cart

    async def forget(self) -> None:
        """Delete every cart of the owner."""
        for table in (CartLine, Cart):
            mine = (table.tenant_id == self._owner.tenant_id) & (
                table.installation_id == self._owner.installation_id
            )
            await self._session.execute(delete(table).where(mine), execution_options=_UNSYNCED)

    async def lines(self, cart_id: UUID) -> Sequence[CartLine]:
        """What is in a cart, in the order of putting in."""
        statement = select(CartLine).where(
            CartLine.tenant_id == self._owner.tenant_id,
            CartLine.installation_id == self._owner.installation_id,
            CartLine.cart_id == cart_id,
        )
        ordered = statement.order_by(CartLine.created_at, CartLine.id)
        return (await self._session.scalars(ordered)).all()

    async def pieces(self, token_hash: str) -> int:
        """How many things the cart of a cookie holds."""
        statement = (
            select(func.coalesce(func.sum(CartLine.quantity), 0))
            .select_from(Cart)
            .join(CartLine, (CartLine.tenant_id == Cart.tenant_id) & (CartLine.cart_id == Cart.id))
            .where(
                Cart.tenant_id == self._owner.tenant_id,
                Cart.installation_id == self._owner.installation_id,
                Cart.token_hash == token_hash,
                CartLine.installation_id == self._owner.installation_id,
            )
        )
        return int((await self._session.execute(statement)).scalar_one())

    async def set_line(self, cart_id: UUID, variant_id: UUID, quantity: int) -> None:
        """Have so many pieces of a variant in the cart; none removes the line."""
        if quantity <= 0:
            await self.clear(cart_id, variant_id)
            return
        statement = insert(CartLine).values(
            **self._own, cart_id=cart_id, variant_id=variant_id, quantity=quantity
        )
        key = ["tenant_id", "installation_id", "cart_id", "variant_id"]
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"quantity": quantity})
        )

    async def clear(self, cart_id: UUID, variant_id: UUID | None = None) -> None:
        """Empty a cart, or take one thing out."""
        statement = delete(CartLine).where(
            CartLine.tenant_id == self._owner.tenant_id,
            CartLine.installation_id == self._owner.installation_id,
            CartLine.cart_id == cart_id,
        )
        if variant_id is not None:
            statement = statement.where(CartLine.variant_id == variant_id)
        await self._session.execute(statement, execution_options=_UNSYNCED)

    async def sweep(self, before: datetime, limit: int) -> None:
        """Forget some carts that nobody has touched for long; those in use elsewhere are passed over."""
        old = (
            select(Cart.id)
            .where(
                Cart.tenant_id == self._owner.tenant_id,
                Cart.installation_id == self._owner.installation_id,
                Cart.updated_at < before,
            )
            .order_by(Cart.updated_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = delete(Cart).where(
            Cart.tenant_id == self._owner.tenant_id,
            Cart.installation_id == self._owner.installation_id,
            Cart.id.in_(old.scalar_subquery()),
        )
        await self._session.execute(statement, execution_options=_UNSYNCED)


class OrderRepository(Repository):
    """Queries on orders, their lines and their history."""

    def _where(self, wanted: OrderFilter) -> list[ColumnElement[bool]]:
        conditions = [
            Order.tenant_id == self._owner.tenant_id,
            Order.installation_id == self._owner.installation_id,
        ]
        if wanted.status is not None:
            conditions.append(Order.status == wanted.status)
        if wanted.number is not None:
            conditions.append(Order.number == wanted.number)
        if wanted.phone is not None:
            conditions.append(Order.buyer_phone == wanted.phone)
        return conditions

    async def count(self, wanted: OrderFilter) -> int:
        """How many orders a list has in all."""
        statement = select(func.count()).select_from(Order).where(*self._where(wanted))
        return (await self._session.execute(statement)).scalar_one()

    async def count_by_status(self) -> dict[str, int]:
        """How many orders stand in each status."""
        statement = (
            select(Order.status, func.count().label("orders"))
            .where(*self._where(OrderFilter()))
            .group_by(Order.status)
        )
        rows = (await self._session.execute(statement)).all()
        return {row.status: row.orders for row in rows}

    async def page(self, wanted: OrderFilter) -> Sequence[Order]:
        """One page of orders, newest first."""
        statement = (
            select(Order)
            .where(*self._where(wanted))
            .order_by(Order.number.desc())
            .limit(wanted.size)
            .offset((wanted.page - 1) * wanted.size)
        )
        return (await self._session.scalars(statement)).all()

    async def find(self, order_id: UUID, *, lock: bool = False) -> Order | None:
        """An order by its id."""
        return await self._one(Order.id == order_id, lock=lock)

    async def find_by_link(self, link: str) -> Order | None:
        """An order by its unguessable link."""
        return await self._one(Order.link == link)

    async def find_by_key(self, key: UUID) -> Order | None:
        """The order that a checkout form has already made."""
        return await self._one(Order.checkout_key == key)

    async def _one(self, condition: ColumnElement[bool], *, lock: bool = False) -> Order | None:
        statement = select(Order).where(*self._where(OrderFilter()), condition)
        if lock:
            statement = statement.with_for_update()
        return (await self._session.scalars(statement)).one_or_none()

    async def next_number(self) -> int:
        """The next number of this shop. Its row stays locked until the transaction ends: ask late."""
        number = await self._session.scalar(
            update(OrderCounter)
            .where(
                OrderCounter.tenant_id == self._owner.tenant_id,
                OrderCounter.installation_id == self._owner.installation_id,
            )
            .values(last_number=OrderCounter.last_number + 1)
            .returning(OrderCounter.last_number),
            execution_options=_UNSYNCED,
        )
        if number is None:
            raise LookupError("a provisioned shop has a counter")
        return int(number)

    async def count_unanswered(self, phone: str) -> int:
        """How many orders of a telephone wait for the shop."""
        return await self.count(OrderFilter(status=Status.NEW, phone=phone))

    async def count_since(self, visitor: str, moment: datetime) -> int:
        """How many orders have come from a network address since then."""
        statement = (
            select(func.count())
            .select_from(Order)
            .where(*self._where(OrderFilter()), Order.visitor == visitor, Order.created_at > moment)
        )
        return (await self._session.execute(statement)).scalar_one()

    async def start_counter(self) -> None:
        """Give a new shop its counter; one that has it keeps it."""
        statement = insert(OrderCounter).values(**self._own, last_number=FIRST_NUMBER - 1)
        await self._session.execute(statement.on_conflict_do_nothing())

    async def add(self, **columns: object) -> Order:
        """Add an order."""
        order = Order(**self._own, **columns)
        self._session.add(order)
        await self._session.flush()  # the lines' foreign keys need it
        return order

    async def add_line(self, order_id: UUID, **columns: object) -> None:
        """Add a line to an order."""
        self._session.add(OrderLine(**self._own, order_id=order_id, **columns))

    async def add_change(self, order_id: UUID, **columns: object) -> None:
        """Add a step to an order's history."""
        self._session.add(OrderChange(**self._own, order_id=order_id, **columns))
        await self._session.flush()

    async def lines(self, order_id: UUID) -> Sequence[OrderLine]:
        """What was bought."""
        statement = select(OrderLine).where(
            OrderLine.tenant_id == self._owner.tenant_id,
            OrderLine.installation_id == self._owner.installation_id,
            OrderLine.order_id == order_id,
        )
        return (await self._session.scalars(statement.order_by(OrderLine.position))).all()

    async def changes(self, order_id: UUID) -> Sequence[OrderChange]:
        """The history, oldest first."""
        statement = select(OrderChange).where(
            OrderChange.tenant_id == self._owner.tenant_id,
            OrderChange.installation_id == self._owner.installation_id,
            OrderChange.order_id == order_id,
        )
        ordered = statement.order_by(OrderChange.created_at, OrderChange.id)
        return (await self._session.scalars(ordered)).all()

    async def forget(self) -> None:
        """Delete every order and the counter of the owner."""
        for table in (OrderChange, OrderLine, Order, OrderCounter):
            mine = (table.tenant_id == self._owner.tenant_id) & (
                table.installation_id == self._owner.installation_id
            )
            await self._session.execute(delete(table).where(mine), execution_options=_UNSYNCED)
