"""What calls are sold at: rate cards and their versions, call plans, trunks."""
