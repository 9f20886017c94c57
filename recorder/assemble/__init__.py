"""From journal to samples on one lesson clock: pure, so that live and recovery give the same result."""
