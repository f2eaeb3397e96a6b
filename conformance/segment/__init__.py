"""The wire: one event loop with two clocks; live, simulated and replayed layer-2 segments."""
