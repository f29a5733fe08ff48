"""The outbox: events wait beside the decisions they tell of, until each sink has them."""
