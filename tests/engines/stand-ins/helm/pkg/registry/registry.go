// Package registry stands in for Helm's: source-controller needs one of its constants.
package registry

// ChartLayerMediaType is the media type of a Helm chart's content.
const ChartLayerMediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
