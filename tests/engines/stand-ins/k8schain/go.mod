module github.com/google/go-containerregistry/pkg/authn/k8schain

go 1.26.0

require (
	github.com/google/go-containerregistry v0.21.6
	k8s.io/api v0.36.1
)
