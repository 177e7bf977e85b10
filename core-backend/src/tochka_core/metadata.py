"""Every table of the core, for Alembic and the tests: importing the slices' models fills one metadata."""

from sqlalchemy import MetaData

import tochka_core.accounts.models
import tochka_core.audit.models
import tochka_core.catalogue.models
import tochka_core.domains.models
import tochka_core.endpoints.models
import tochka_core.idempotency.models
import tochka_core.installations.models
import tochka_core.outbox.models
import tochka_core.subscriptions.models
import tochka_core.tenants.models
import tochka_core.webhooks.models  # noqa: F401  imported for its tables
from tochka_core.base import Base

BASE = Base
METADATA: MetaData = Base.metadata
