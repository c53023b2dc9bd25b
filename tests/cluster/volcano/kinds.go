// Package kinds names the types whose definition is generated.
package kinds

import _ "volcano.sh/apis/pkg/apis/scheduling/v1beta1"
