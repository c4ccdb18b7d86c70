"""The judge audit: what makes a judge worth believing, as pure functions over its judgements."""
