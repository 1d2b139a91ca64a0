package main

import (
	"fmt"
	"strings"

	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

const keyManagerName = "spire.plugin.server.keymanager.v1.KeyManager"

// reflect asks for the plugin's own description of KeyManager and compares it with that of SPIRE's SDK.
func (h *host) reflect() (string, error) {
	names, err := h.reflectedServices()
	if err != nil {
		return "", err
	}
	described, err := h.describedKeyManager()
	if err != nil {
		return "", err
	}
	wanted := keymanagerv1.File_spire_plugin_server_keymanager_v1_keymanager_proto.Messages()
	for i := 0; i < wanted.Len(); i++ {
		if err := compareMessage(described, wanted.Get(i)); err != nil {
			return "", err
		}
	}
	return strings.Join(names, " "), nil
}

func (h *host) reflectedServices() ([]string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	stream, err := grpc_reflection_v1alpha.NewServerReflectionClient(h.conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	request := &grpc_reflection_v1alpha.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1alpha.ServerReflectionRequest_ListServices{},
	}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, service := range response.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	return names, stream.CloseSend()
}

func (h *host) describedKeyManager() (protoreflect.FileDescriptor, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	stream, err := grpc_reflection_v1.NewServerReflectionClient(h.conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	request := &grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: keyManagerName},
	}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	response, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	files := &descriptorpb.FileDescriptorSet{}
	for _, content := range response.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(content, file); err != nil {
			return nil, err
		}
		files.File = append(files.File, file)
	}
	registry, err := protodesc.NewFiles(files)
	if err != nil {
		return nil, err
	}
	return fileOf(registry, keyManagerName)
}

func fileOf(registry *protoregistry.Files, name protoreflect.FullName) (protoreflect.FileDescriptor, error) {
	descriptor, err := registry.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	return descriptor.ParentFile(), nil
}

// compareMessage wants the same fields, with the same numbers and kinds.
func compareMessage(file protoreflect.FileDescriptor, wanted protoreflect.MessageDescriptor) error {
	found := file.Messages().ByName(wanted.Name())
	if found == nil {
		return fmt.Errorf("no message %s", wanted.FullName())
	}
	if found.Fields().Len() != wanted.Fields().Len() {
		return fmt.Errorf("%s has %d fields, not %d", wanted.FullName(), found.Fields().Len(), wanted.Fields().Len())
	}
	for i := 0; i < wanted.Fields().Len(); i++ {
		field := wanted.Fields().Get(i)
		other := found.Fields().ByNumber(field.Number())
		if other == nil || other.Name() != field.Name() || other.Kind() != field.Kind() || other.Cardinality() != field.Cardinality() {
			return fmt.Errorf("%s is described as %v", field.FullName(), other)
		}
	}
	return nil
}
