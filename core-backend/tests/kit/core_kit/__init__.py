"""What the core's tests share: a running core, people who have signed up."""
