"""What may be done to whom, and who must agree: the policy, and the brake on what goes by itself."""
