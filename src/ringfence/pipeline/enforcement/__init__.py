"""The casebook, policy and sinks joined with what runs and logs say."""
