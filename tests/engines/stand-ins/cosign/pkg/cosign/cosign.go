// Package cosign stands in for Sigstore's: no signature is verified in this build.
package cosign

// Identity is who may have signed.
type Identity struct {
	Issuer        string
	Subject       string
	IssuerRegExp  string
	SubjectRegExp string
}
