"""Fill the holes in a table of records with an autoencoder, then diagnose with an AC-GAN."""

from .acgan import ACGANClassifier
from .autoencoder import StackedAutoencoderImputer

__all__ = ["ACGANClassifier", "StackedAutoencoderImputer"]
