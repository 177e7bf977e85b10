"""The whole product, driven through a real browser as people drive it."""
