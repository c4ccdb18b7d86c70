"""The evidence chain: every stored row hashed, so that what was changed later can be named."""
