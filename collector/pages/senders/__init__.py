"""The ways out: one file per kind of channel, each behind ``base.Sender``."""
