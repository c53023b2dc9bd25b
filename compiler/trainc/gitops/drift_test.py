from trainc.gitops.drift import argocd_ignore, flux_ignore


def test_flux_leaves_suspend_of_queued_jobsets_to_kueue_and_no_object_is_named() -> None:
    (rule,) = flux_ignore()["ignore"]
    assert rule["paths"] == ["/spec/suspend"]
    assert rule["target"] == {
        "group": "jobset.x-k8s.io", "kind": "JobSet",
        "labelSelector": "kueue.x-k8s.io/queue-name"}  # fmt: skip


def test_argo_cd_ignores_placement_alone_and_brings_nothing_back() -> None:
    found = argocd_ignore()
    (rule,) = found["ignoreDifferences"]
    assert [path.rpartition(".")[2] for path in rule["jqPathExpressions"]] == [
        "nodeSelector", "tolerations"]  # fmt: skip
    assert all("queue-name" in path for path in rule["jqPathExpressions"])
    options = found["syncPolicy"]["syncOptions"]
    assert "ApplyOutOfSyncOnly=true" in options
    assert "RespectIgnoreDifferences=true" not in options
