"""Whether two samples of rows come from one joint distribution: what no column shows alone."""

from __future__ import annotations

from monitoring_tasks.statistics.multivariate.domain_classifier import DomainClassifier, domain_classifier
from monitoring_tasks.statistics.multivariate.pca_reconstruction import PcaReconstruction, pca_reconstruction
from monitoring_tasks.statistics.multivariate.z_score import Undrifted, ZScore

__all__ = [
    "DomainClassifier",
    "PcaReconstruction",
    "Undrifted",
    "ZScore",
    "domain_classifier",
    "pca_reconstruction",
]
