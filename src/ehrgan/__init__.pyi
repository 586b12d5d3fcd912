# What ``import ehrgan`` offers, for editors and type checkers: the module itself imports it lazily.
from .nets.acgan import ACGANClassifier as ACGANClassifier
from .nets.autoencoder import StackedAutoencoderImputer as StackedAutoencoderImputer
from .nets.joint import JointACGANClassifier as JointACGANClassifier
from .nets.mixed import MixedImputer as MixedImputer
from .nets.oversampler import ACGANOverSampler as ACGANOverSampler
from .report.files import read_table as read_table
from .report.reading import prepare as prepare
from .report.report import make_report as make_report
from .study.cache import run_study as run_study
from .study.protocol import Study as Study
from .tables.coding import TableCoder as TableCoder
from .tables.records import load_wdbc as load_wdbc
