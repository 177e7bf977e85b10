"""`python -m tochka_shop web|migrate`."""

from tochka_sdk.runner import main

from tochka_shop.module import MIGRATIONS, module
from tochka_shop.tables import Model

if __name__ == "__main__":
    main(module, migrations=MIGRATIONS, metadata=Model.metadata)
