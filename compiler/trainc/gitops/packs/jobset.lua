-- Health of a JobSet (jobset.x-k8s.io). The last condition decides; without one, the spec does.
local running = "Progressing"
local queue = "kueue.x-k8s.io/queue-name"
local hs = { status = "Progressing", message = "waiting for the JobSet controller" }
local status = obj.status or {}

for _, c in ipairs(status.conditions or {}) do
  if c.status == "True" and c.type == "Failed" then
    return { status = "Degraded", message = c.message ~= "" and c.message or "failed" }
  end
  if c.status == "True" and c.type == "Completed" then
    return { status = "Healthy", message = c.message ~= "" and c.message or "completed" }
  end
end

if obj.spec ~= nil and obj.spec.suspend == true then
  local labels = obj.metadata ~= nil and obj.metadata.labels or nil
  if labels ~= nil and labels[queue] ~= nil then
    -- Waiting for quota may take days; what is queued must not hold up a sync wave.
    return { status = "Healthy", message = "queued by Kueue in " .. labels[queue] }
  end
  return { status = "Suspended", message = "suspended" }
end

local started, ready = false, 0
for _, job in ipairs(status.replicatedJobsStatus or {}) do
  ready = ready + (job.ready or 0)
  if (job.ready or 0) + (job.active or 0) + (job.succeeded or 0) > 0 then
    started = true
  end
end
if started then
  hs.status = running
  hs.message = "running: " .. ready .. " jobs ready"
end
if (status.restarts or 0) > 0 then
  hs.message = hs.message .. ", restart " .. status.restarts
end
return hs
