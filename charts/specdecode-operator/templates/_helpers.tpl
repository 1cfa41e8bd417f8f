{{- define "specdecode-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* Short enough for the longest suffix, "-settings". */}}
{{- define "specdecode-operator.fullname" -}}
{{- $name := include "specdecode-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "specdecode-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "specdecode-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What is ours wins over commonLabels. */}}
{{- define "specdecode-operator.labels" -}}
{{- $own := include "specdecode-operator.selectorLabels" . | fromYaml }}
{{- $_ := set $own "app.kubernetes.io/component" "operator" }}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- toYaml (merge $own .Values.commonLabels) }}
{{- end }}

{{- define "specdecode-operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "specdecode-operator.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "specdecode-operator.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{/* The settings file: what the values say, and what only the chart knows of the webhook. */}}
{{- define "specdecode-operator.settings" -}}
{{- $settings := deepCopy .Values.settings }}
{{- if and $settings.factsJob.enabled (not $settings.factsJob.image) }}
{{- $_ := set $settings.factsJob "image" (include "specdecode-operator.image" .) }}
{{- end }}
{{- if .Values.webhook.enabled }}
{{- $_ := set $settings "webhook" (include "specdecode-operator.webhookSettings" . | fromYaml) }}
{{- end }}
{{- toYaml $settings }}
{{- end }}

{{- define "specdecode-operator.webhookSettings" -}}
{{- $name := include "specdecode-operator.fullname" . -}}
enabled: true
listenPort: {{ .Values.webhook.port }}
{{- if eq .Values.webhook.certificate.source "CertManager" }}
certificate: Files
certFile: /etc/specdecode-webhook/tls.crt
keyFile: /etc/specdecode-webhook/tls.key
{{- else }}
certificate: SelfSigned
namespace: {{ .Release.Namespace }}
serviceName: {{ $name }}-webhook
secretName: {{ $name }}-webhook
configurationName: {{ $name }}
{{- end }}
{{- end }}

{{/* What the operator does, and nothing else. Server-side apply of an object that does not exist needs create and patch. */}}
{{- define "specdecode-operator.rules" -}}
- apiGroups: [specdecode.dev]
  resources: [specdecodedeployments]
  verbs: [list, watch]
- apiGroups: [specdecode.dev]
  resources: [specdecodedeployments/status]
  verbs: [update]
# Children carry blockOwnerDeletion; clusters that check it (OpenShift) ask for this verb.
- apiGroups: [specdecode.dev]
  resources: [specdecodedeployments/finalizers]
  verbs: [update]
# Deleted by the operator itself when a trial is over; other Deployments go with their owner.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
# Deleted by the operator itself when a resource is scaled to one pod; other children go with their owner.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- if .Values.settings.factsJob.enabled }}
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, patch]
{{- end }}
{{- end }}
