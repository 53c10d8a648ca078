"""Several processes that train one model: ranks and their exchanges, the launcher, shares of equal size."""
