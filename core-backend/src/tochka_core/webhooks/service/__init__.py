"""Rules of the queue: who hears an event, what an answer means, what may be read and sent again."""
