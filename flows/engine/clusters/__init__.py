"""Engines that run jobs on the nodes of a cluster: Ray and Dask."""
