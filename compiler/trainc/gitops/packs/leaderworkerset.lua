-- Health of a LeaderWorkerSet (leaderworkerset.x-k8s.io): the data cache of a job.
local status = obj.status or {}
for _, c in ipairs(status.conditions or {}) do
  if c.type == "Available" and c.status == "True" then
    return { status = "Healthy", message = c.message or "all replicas are ready" }
  end
end
local want = obj.spec ~= nil and obj.spec.replicas or 1
return {
  status = "Progressing",
  message = (status.readyReplicas or 0) .. " of " .. want .. " replicas ready",
}
