"""The agent's side of a broker on another machine (T3): hands everything on, and decides nothing."""
