"""Database engines that come with the stack, each behind one small interface: prepare, command, is_ready."""
