"""What other slices do with addresses: understand a label, open and release the hosts of an installation."""

from tochka_core.domains import service

require_label = service.require_label
refused = service.refused
open_hosts = service.open_hosts
release = service.release
