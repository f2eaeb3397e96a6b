"""Cases: active tests, one module per group, the same for every target and every rung."""
