// Modules of which only manifests are taken; nothing is built of them.
module trainc.dev/tests/cluster/manifests

go 1.26.0

require sigs.k8s.io/lws v0.8.0
