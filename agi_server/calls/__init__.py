"""The use cases of a call, in its order: identify, policy, authorize, settle, recover."""
