"""Whether two host names belong to one registrable domain, as far as that can be told without a list."""

SHARED_SUFFIXES = frozenset(
    {
        *("com.ru", "org.ru", "net.ru", "pp.ru", "msk.ru", "spb.ru", "msk.su", "spb.su"),
        *("co.uk", "org.uk", "me.uk", "com.ua", "in.ua", "com.kz", "org.kz", "com.tr", "com.au", "com.br"),
        *("co.in", "co.jp", "co.nz", "co.za", "com.cn", "com.pl", "github.io", "pages.dev"),
    }
)


def registrable(host: str) -> str:
    """The part of a name that one registers: `example.com` of `www.example.com`."""
    labels = host.lower().rstrip(".").split(".")
    length = 3 if ".".join(labels[-2:]) in SHARED_SUFFIXES else 2
    return ".".join(labels[-length:])
