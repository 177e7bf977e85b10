"""Everything that the platform asks of other machines over HTTP goes out here."""
