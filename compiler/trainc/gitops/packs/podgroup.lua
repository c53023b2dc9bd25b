-- Health of a PodGroup (coscheduling, Volcano). It stands in a wave before the pods it gathers:
-- waiting for them, or for room in the cluster, is its normal state and must not hold up the sync.
local phase = obj.status ~= nil and obj.status.phase or ""
if phase == "Failed" then
  return { status = "Degraded", message = "the gang failed" }
end
if phase == "" then
  return { status = "Healthy", message = "waiting for pods" }
end
return { status = "Healthy", message = phase }
