// Runs the cases that cyclonus generates against a cluster and fails if one of them does.
//
// It does what `cyclonus generate` does, in batches: one exec per pod and step, which brings all requests of the pod to
// our own worker, instead of one exec per request. That is the difference between a second and a minute per case.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/connectivity"
	"github.com/mattfenwick/cyclonus/pkg/connectivity/probe"
	"github.com/mattfenwick/cyclonus/pkg/generator"
	"github.com/mattfenwick/cyclonus/pkg/kube"
	"github.com/sirupsen/logrus"
	v1 "k8s.io/api/core/v1"
)

var (
	namespaces = []string{"x", "y", "z"}
	pods       = []string{"a", "b", "c"}
	ports      = []int{80, 81}
	protocols  = []v1.Protocol{v1.ProtocolTCP, v1.ProtocolUDP}
)

func main() {
	context := flag.String("context", "", "context of the kubeconfig")
	include := flag.String("include", "", "tags of cases to run, with commas; all cases if empty")
	every := flag.Int("every", 1, "run each n-th of these cases only")
	only := flag.String("only", "", "numbers of cases to run, with commas; all of them if empty")
	flag.Parse()
	logrus.SetLevel(logrus.WarnLevel)

	client, err := kube.NewKubernetesForContext(*context)
	must(err)
	resources, err := probe.NewDefaultResources(client, namespaces, pods, ports, protocols, nil, 180, true, "")
	must(err)
	target, err := resources.GetPod("z", "c")
	must(err)
	var tags []string
	if *include != "" {
		tags = strings.Split(*include, ",")
	}
	cases := generator.NewTestCaseGenerator(true, target.IP, namespaces, tags, nil).GenerateTestCases()

	// A pod can always reach itself, which cyclonus does not know: it is told to ignore that.
	interpreter := connectivity.NewInterpreter(client, resources, &connectivity.InterpreterConfig{
		ResetClusterBeforeTestCase:       true,
		VerifyClusterStateBeforeTestCase: true,
		KubeProbeRetries:                 2,
		PerturbationWaitSeconds:          1,
		BatchJobs:                        true,
		IgnoreLoopback:                   true,
		JobTimeoutSeconds:                1,
	})
	printer := &connectivity.Printer{IgnoreLoopback: true}
	run, failed := 0, 0
	for i := 0; i < len(cases); i += *every {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), strconv.Itoa(i+1)) {
			continue
		}
		result := interpreter.ExecuteTestCase(cases[i])
		must(result.Err)
		run++
		if !result.Passed(true) {
			failed++
			printer.PrintTestCaseResult(result)
		}
		fmt.Printf("case %d of %d: %t: %s\n", i+1, len(cases), result.Passed(true), cases[i].Description)
	}
	fmt.Printf("%d cases run, %d passed, %d failed\n", run, run-failed, failed)
	for _, namespace := range namespaces {
		must(client.DeleteNamespace(namespace))
	}
	if failed > 0 || run == 0 {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		logrus.Fatalf("%+v", err)
	}
}
