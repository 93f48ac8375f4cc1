"""The doctor: looks at everything that must be right for leads to arrive and replies to leave, and changes nothing."""
