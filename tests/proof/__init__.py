"""The long tests: the real stack under kill -9, races, and a load that does not end."""
