"""Neural reference models: everything here needs torch, and is imported only when such a model is fitted."""
