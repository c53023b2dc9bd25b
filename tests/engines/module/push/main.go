// What `flux push artifact` does, by the package that it uses: a folder becomes an OCI artifact.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/fluxcd/pkg/oci"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: push oci://HOST/REPOSITORY:TAG PATH SOURCE REVISION")
		os.Exit(2)
	}
	url := strings.TrimPrefix(os.Args[1], "oci://")
	about := oci.Metadata{Source: os.Args[3], Revision: os.Args[4]}
	client := oci.NewClient(oci.DefaultOptions())
	digest, err := client.Push(context.Background(), url, os.Args[2], oci.WithPushMetadata(about))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(digest)
}
