"""Whether two samples of rows come from one joint distribution: what no column shows alone."""

from __future__ import annotations

from monitoring_tasks.statistics.multivariate.domain_classifier import DomainClassifier, domain_classifier
from monitoring_tasks.statistics.multivariate.pca_reconstruction import PcaReconstruction, pca_reconstruction

__all__ = ["DomainClassifier", "PcaReconstruction", "domain_classifier", "pca_reconstruction"]
