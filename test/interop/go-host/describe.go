package main

import (
	"fmt"
	"io"
	"sort"
	"strings"

	agentstorev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/agentstore/v1"
	identityproviderv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/identityprovider/v1"
	agentkeymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/keymanager/v1"
	agentnodeattestorv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/nodeattestor/v1"
	svidstorev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/svidstore/v1"
	workloadattestorv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/workloadattestor/v1"
	bundlepublisherv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/bundlepublisher/v1"
	credentialcomposerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/credentialcomposer/v1"
	nodeattestorv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/nodeattestor/v1"
	notifierv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/notifier/v1"
	upstreamauthorityv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/upstreamauthority/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Every package of the SDK is linked in, and registers its descriptors.
var _ = []protoreflect.FileDescriptor{
	agentstorev1.File_spire_hostservice_server_agentstore_v1_agentstore_proto,
	identityproviderv1.File_spire_hostservice_server_identityprovider_v1_identityprovider_proto,
	agentkeymanagerv1.File_spire_plugin_agent_keymanager_v1_keymanager_proto,
	agentnodeattestorv1.File_spire_plugin_agent_nodeattestor_v1_nodeattestor_proto,
	svidstorev1.File_spire_plugin_agent_svidstore_v1_svidstore_proto,
	workloadattestorv1.File_spire_plugin_agent_workloadattestor_v1_workloadattestor_proto,
	bundlepublisherv1.File_spire_plugin_server_bundlepublisher_v1_bundlepublisher_proto,
	credentialcomposerv1.File_spire_plugin_server_credentialcomposer_v1_credentialcomposer_proto,
	nodeattestorv1.File_spire_plugin_server_nodeattestor_v1_nodeattestor_proto,
	notifierv1.File_spire_plugin_server_notifier_v1_notifier_proto,
	upstreamauthorityv1.File_spire_plugin_server_upstreamauthority_v1_upstreamauthority_proto,
	errdetails.File_google_rpc_error_details_proto,
}

// describeSdk prints one line for each field, value and method that the linked modules know, sorted.
func describeSdk(out io.Writer) {
	var lines []string
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "spire.") || file.Package() == "google.rpc" {
			lines = append(lines, describeFile(file)...)
		}
		return true
	})
	sort.Strings(lines)
	fmt.Fprintln(out, strings.Join(lines, "\n"))
}

func describeFile(file protoreflect.FileDescriptor) []string {
	lines := append(describeMessages(file.Messages()), describeEnums(file.Enums())...)
	for i := 0; i < file.Services().Len(); i++ {
		service := file.Services().Get(i)
		for j := 0; j < service.Methods().Len(); j++ {
			method := service.Methods().Get(j)
			lines = append(lines, fmt.Sprintf("rpc %s/%s (%s%s) returns (%s%s)", service.FullName(), method.Name(),
				streamed(method.IsStreamingClient()), method.Input().FullName(),
				streamed(method.IsStreamingServer()), method.Output().FullName()))
		}
	}
	return lines
}

func streamed(is bool) string {
	if is {
		return "stream "
	}
	return ""
}

func describeMessages(messages protoreflect.MessageDescriptors) []string {
	var lines []string
	for i := 0; i < messages.Len(); i++ {
		message := messages.Get(i)
		if message.IsMapEntry() {
			continue
		}
		lines = append(lines, "message "+string(message.FullName()))
		for j := 0; j < message.Fields().Len(); j++ {
			lines = append(lines, describeField(message, message.Fields().Get(j)))
		}
		lines = append(lines, describeMessages(message.Messages())...)
		lines = append(lines, describeEnums(message.Enums())...)
	}
	return lines
}

func describeField(message protoreflect.MessageDescriptor, field protoreflect.FieldDescriptor) string {
	kind := typeName(field)
	switch {
	case field.IsMap():
		kind = fmt.Sprintf("map<%s, %s>", typeName(field.MapKey()), typeName(field.MapValue()))
	case field.IsList():
		kind = "repeated " + kind
	}
	if oneof := field.ContainingOneof(); oneof != nil {
		kind = fmt.Sprintf("oneof %s %s", oneof.Name(), kind)
	}
	return fmt.Sprintf("field %s.%s = %d %s", message.FullName(), field.Name(), field.Number(), kind)
}

func typeName(field protoreflect.FieldDescriptor) string {
	switch field.Kind() {
	case protoreflect.MessageKind:
		return string(field.Message().FullName())
	case protoreflect.EnumKind:
		return string(field.Enum().FullName())
	default:
		return field.Kind().String()
	}
}

func describeEnums(enums protoreflect.EnumDescriptors) []string {
	var lines []string
	for i := 0; i < enums.Len(); i++ {
		enum := enums.Get(i)
		for j := 0; j < enum.Values().Len(); j++ {
			value := enum.Values().Get(j)
			lines = append(lines, fmt.Sprintf("value %s.%s = %d", enum.FullName(), value.Name(), value.Number()))
		}
	}
	return lines
}
