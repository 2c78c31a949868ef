"""The AWS emulator: one moto server process for all regions."""
