// Package decryptor is left out of this build: no SOPS, and none of the clouds' SDKs.
package decryptor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/fluxcd/pkg/cache"

	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
)

type Decryptor struct{ wanted bool }
type Option func(*Decryptor)

func none() Option                           { return func(*Decryptor) {} }
func WithRoot(string) Option                 { return none() }
func WithTokenCache(cache.TokenCache) Option { return none() }
func WithSOPSAgeSecret(_, _ string) Option   { return none() }
func WithVaultConfigMap(_, _ string) Option  { return none() }

func New(_ client.Client, k *kustomizev1.Kustomization, _ ...Option) (*Decryptor, func(), error) {
	return &Decryptor{wanted: k.Spec.Decryption != nil}, func() {}, nil
}

func IsDecryptionDisabled(annotations map[string]string) bool {
	return annotations != nil &&
		strings.EqualFold(annotations[fmt.Sprintf("%s/decrypt", kustomizev1.GroupVersion.Group)], kustomizev1.DisabledValue)
}

func IsEncryptedSecret(object *unstructured.Unstructured) bool {
	if object.GetKind() == "Secret" && object.GetAPIVersion() == "v1" {
		if _, found, _ := unstructured.NestedFieldNoCopy(object.Object, "sops"); found {
			return true
		}
	}
	return false
}

func (d *Decryptor) ImportKeys(context.Context) error {
	if d.wanted {
		return errors.New("built without SOPS")
	}
	return nil
}
func (d *Decryptor) SetAuthOptions(context.Context)                                 {}
func (d *Decryptor) DecryptSources(string) error                                    { return nil }
func (d *Decryptor) DecryptResource(*resource.Resource) (*resource.Resource, error) { return nil, nil }
