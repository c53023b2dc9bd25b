"""Tests with the programs beside which trainc is used, built from their registries."""
