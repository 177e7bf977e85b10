"""Secrets that anybody could guess, however long they are: published samples, and what is not random."""

from itertools import pairwise

WORDS = (
    b"secret",
    b"change",
    b"password",
    b"passw0rd",
    b"example",
    b"insecure",
    b"replace",
    b"your-",
    b"qwerty",
)
"""Nothing random holds one of these; what stands in a sample to be replaced hardly ever does not."""
PUBLISHED = frozenset(
    {
        b"09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",  # the tutorial of FastAPI
        b"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",  # that of Flask
        b"404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970",  # those of Spring Security
        b"3ek6fd+o0+c7tzbnvfjpmkndi2yaraakzqlk8o2ikoxqu4nf7edah8s3twphwrdwt6r",  # Hasura's documentation
        b"aym1sysppbydfgzld3umj1qzkobwvmkoqq-estjqlr_t-1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow",  # RFC 7515
        b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",  # RFC 8032 test 1, RFC 8037 A.1
        b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",  # RFC 8032 test 2
        b"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",  # RFC 8032 test 3
        b"f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",  # RFC 8032 test 1024
        b"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",  # RFC 8032 test SHA(abc)
        b"whsec_mfkq9r8gkyqrtwjupd8ilpzio2lalasw",  # the specification of Standard Webhooks
    }
)
"""In small letters; of hexadecimal ones also the bytes that they stand for are known."""
FEWEST = 6  # different bytes
LOOKED_AT = 64  # bytes: longer ones repeat pairs by chance, when they are hexadecimal


def is_guessable(secret: bytes) -> bool:
    """Whether a secret is a published sample, says that it is one, repeats itself, or only counts."""
    small = secret.lower()
    if small in PUBLISHED or secret.hex().encode() in PUBLISHED or any(word in small for word in WORDS):
        return True
    looked_at = secret[:LOOKED_AT]
    pairs = list(pairwise(looked_at))
    steps = [after - before for before, after in pairs]
    is_repeated = len(set(pairs)) * 2 <= len(looked_at)
    is_counted = max(steps.count(1), steps.count(-1)) * 4 >= len(steps) * 3
    return len(set(secret)) < FEWEST or is_repeated or is_counted
