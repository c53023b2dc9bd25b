// Flux's source-controller with the controllers of Git and OCI only: no Helm, no buckets.
package main

import (
	"os"
	"time"

	flag "github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcfg "sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	corev1 "k8s.io/api/core/v1"

	artcfg "github.com/fluxcd/pkg/artifact/config"
	artdigest "github.com/fluxcd/pkg/artifact/digest"
	artsrv "github.com/fluxcd/pkg/artifact/server"
	artstore "github.com/fluxcd/pkg/artifact/storage"
	"github.com/fluxcd/pkg/runtime/client"
	helper "github.com/fluxcd/pkg/runtime/controller"
	"github.com/fluxcd/pkg/runtime/events"
	feathelper "github.com/fluxcd/pkg/runtime/features"
	"github.com/fluxcd/pkg/runtime/jitter"
	"github.com/fluxcd/pkg/runtime/logger"
	"github.com/fluxcd/pkg/runtime/metrics"

	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/fluxcd/source-controller/internal/controller"
	"github.com/fluxcd/source-controller/internal/features"
	scosign "github.com/fluxcd/source-controller/internal/oci/cosign"
)

const name = "source-controller"

func main() {
	var (
		concurrent int
		retry      time.Duration
		artifacts  artcfg.Options
		clients    client.Options
		logs       logger.Options
		rates      helper.RateLimiterOptions
		gates      feathelper.FeatureGates
		jitters    jitter.IntervalOptions
	)
	flag.IntVar(&concurrent, "concurrent", 2, "reconciles at a time")
	flag.DurationVar(&retry, "requeue-dependency", 30*time.Second, "when dependencies are tried again")
	artifacts.BindFlags(flag.CommandLine)
	clients.BindFlags(flag.CommandLine)
	logs.BindFlags(flag.CommandLine)
	rates.BindFlags(flag.CommandLine)
	gates.BindFlags(flag.CommandLine)
	jitters.BindFlags(flag.CommandLine)
	flag.Parse()
	logger.SetLogger(logger.NewLogger(logs))
	log := ctrl.Log.WithName("setup")
	must := func(err error) {
		if err != nil {
			log.Error(err, "cannot start")
			os.Exit(1)
		}
	}
	must(gates.WithLogger(log).SupportedFeatures(features.FeatureGates()))
	must(jitters.SetGlobalJitter(nil))

	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(sourcev1.AddToScheme(scheme))
	manager, err := ctrl.NewManager(client.GetConfigOrDie(clients), ctrl.Options{
		Scheme:                 scheme,
		HealthProbeBindAddress: "0",
		Logger:                 ctrl.Log,
		Client: ctrlclient.Options{Cache: &ctrlclient.CacheOptions{
			DisableFor: []ctrlclient.Object{&corev1.Secret{}, &corev1.ConfigMap{}},
		}},
		Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: ctrlcfg.Controller{
			RecoverPanic:            ptr.To(true),
			MaxConcurrentReconciles: concurrent,
		},
	})
	must(err)
	recorder, err := events.NewRecorder(manager, ctrl.Log, "", name)
	must(err)
	algorithm, err := artdigest.AlgorithmForName(artifacts.ArtifactDigestAlgo)
	must(err)
	artdigest.Canonical = algorithm
	storage, err := artstore.New(&artifacts)
	must(err)
	measure := helper.NewMetrics(manager, metrics.MustMakeRecorder(), sourcev1.SourceFinalizer)

	ctx := ctrl.SetupSignalHandler()
	must((&controller.GitRepositoryReconciler{
		Client:         manager.GetClient(),
		EventRecorder:  recorder,
		Metrics:        measure,
		Storage:        storage,
		ControllerName: name,
	}).SetupWithManager(manager, controller.GitRepositoryReconcilerOptions{
		DependencyRequeueInterval: retry,
		RateLimiter:               helper.GetRateLimiter(rates),
	}))
	must((&controller.OCIRepositoryReconciler{
		Client:                manager.GetClient(),
		EventRecorder:         recorder,
		Metrics:               measure,
		Storage:               storage,
		ControllerName:        name,
		CosignVerifierFactory: scosign.NewCosignVerifierFactory(),
	}).SetupWithManager(manager, controller.OCIRepositoryReconcilerOptions{
		RateLimiter: helper.GetRateLimiter(rates),
	}))
	go func() {
		<-manager.Elected()
		must(artsrv.Start(ctx, &artifacts))
	}()
	must(manager.Start(ctx))
}
