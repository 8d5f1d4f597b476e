"""`python -m trivet_deploy.bench` is `trivet bench`."""

from trivet_deploy.bench.command import bench

if __name__ == "__main__":
    bench()
