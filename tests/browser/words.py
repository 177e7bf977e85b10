"""What stands on buttons and fields, in both languages of the product."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PanelWords:
    """The panel."""

    promise: str
    start: str
    phone: str
    business: str
    get_code: str
    code: str
    inbox: str
    modules: str
    pick: str
    address: str
    free: str
    launch: str
    storefront: str
    enter: str
    mine: str


@dataclass(frozen=True)
class ShopWords:
    """The shop: its storefront and its admin."""

    menu: str
    products: str
    orders: str
    add: str
    title: str
    description: str
    price: str
    stock: str
    save: str
    added: str
    confirm: str
    search: str
    find: str
    buy: str
    in_cart: str
    cart: str
    checkout: str
    name: str
    phone: str
    submit: str
    thanks: str
    number: str
    confirmed: str


PANEL_RU = PanelWords(
    promise="Ваше дело в интернете — за минуту",
    start="Начать бесплатно",
    phone="Номер телефона",
    business="Название бизнеса",
    get_code="Получить код",
    code="Код из сообщения",
    inbox="Входящие для разработки",
    modules="Выберите модуль",
    pick="Выбрать: Интернет-магазин",
    address="Адрес",
    free="Адрес свободен",
    launch="Запустить",
    storefront="Открыть витрину",
    enter="Войти в управление",
    mine="Мои модули",
)
PANEL_EN = PanelWords(
    promise="Your business online in a minute",
    start="Start for free",
    phone="Phone number",
    business="Business name",
    get_code="Get a code",
    code="Code from the message",
    inbox="Development inbox",
    modules="Choose a module",
    pick="Choose: Online shop",
    address="Address",
    free="The address is free",
    launch="Activate",
    storefront="Open storefront",
    enter="Enter admin",
    mine="My modules",
)
SHOP_RU = ShopWords(
    menu="Меню",
    products="Товары",
    orders="Заказы",
    add="Добавить товар",
    title="Название",
    description="Описание",
    price="Цена, ₽",
    stock="Остаток",
    save="Сохранить",
    added="Добавлено.",
    confirm="Подтвердить",
    search="Поиск",
    find="Найти",
    buy="В корзину",
    in_cart="Добавлено в корзину",
    cart="Оформить",
    checkout="Оформить заказ",
    name="Имя",
    phone="Телефон",
    submit="Заказать",
    thanks="Спасибо, заказ принят!",
    number="Заказ № ",
    confirmed="Магазин подтвердил заказ и собирает его.",
)
SHOP_EN = ShopWords(
    menu="Menu",
    products="Products",
    orders="Orders",
    add="Add a product",
    title="Title",
    description="Description",
    price="Price, ₽",
    stock="In stock",
    save="Save",
    added="Added.",
    confirm="Confirm",
    search="Search",
    find="Search",
    buy="Add to cart",
    in_cart="Added to cart",
    cart="Check out",
    checkout="Check out",
    name="Name",
    phone="Phone",
    submit="Place the order",
    thanks="Thank you for your order!",
    number="Order no. ",
    confirmed="The shop has confirmed the order and is packing it.",
)
