// Package cosign is left out of this build: it would bring Sigstore with its clouds' SDKs.
package cosign

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sigstore/cosign/v3/pkg/cosign"

	soci "github.com/fluxcd/source-controller/internal/oci"
)

var errLeftOut = errors.New("built without cosign")

type Options struct{}

func WithPublicKey([]byte) Options               { return Options{} }
func WithRemoteOptions(...remote.Option) Options { return Options{} }
func WithIdentities([]cosign.Identity) Options   { return Options{} }
func WithTrustedRoot([]byte) Options             { return Options{} }
func WithInsecure(bool) Options                  { return Options{} }
func WithTLSConfig(*tls.Config) Options          { return Options{} }

type CosignVerifier struct{}

type CosignVerifierFactory struct{}

func NewCosignVerifierFactory() *CosignVerifierFactory { return &CosignVerifierFactory{} }

func (*CosignVerifierFactory) NewCosignVerifier(context.Context, ...Options) (*CosignVerifier, error) {
	return nil, errLeftOut
}

func (*CosignVerifier) Verify(context.Context, name.Reference) (soci.VerificationResult, error) {
	return soci.VerificationResultFailed, errLeftOut
}
