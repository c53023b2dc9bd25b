"""What every program that reads remote data agrees on: schemes, and where Amazon's tools look.

In: URIs and the environment. Out: the one scheme behind each of its names, the place an Azure URI
names, and the endpoint, region and credentials of S3. ``initializers/`` and ``cache/`` import it;
it imports neither.
"""
