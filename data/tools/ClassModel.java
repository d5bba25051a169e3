import com.sun.source.tree.*;
import com.sun.source.util.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import javax.lang.model.element.*;
import javax.tools.*;

/** Dumps the class models of Java files, as javac reads and resolves them: java ClassModel.java OUT_FOLDER SOURCE... */
public class ClassModel {
    private static final Set<Tree.Kind> FLOW = EnumSet.of(Tree.Kind.IF, Tree.Kind.FOR_LOOP,
        Tree.Kind.ENHANCED_FOR_LOOP, Tree.Kind.WHILE_LOOP, Tree.Kind.SWITCH, Tree.Kind.TRY, Tree.Kind.CATCH);
    private final Trees trees;
    private final CompilationUnitTree unit;
    private int ids;

    private ClassModel(Trees trees, CompilationUnitTree unit) {
        this.trees = trees;
        this.unit = unit;
    }

    public static void main(String[] args) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        List<String> sources = Arrays.asList(args).subList(1, args.length);
        JavacTask task = (JavacTask) compiler.getTask(
            null, files, null, List.of("-proc:none"), null, files.getJavaFileObjectsFromStrings(sources));
        List<CompilationUnitTree> units = new ArrayList<>();
        task.parse().forEach(units::add);
        task.analyze();
        for (CompilationUnitTree unit : units) {
            Path name = Path.of(unit.getSourceFile().getName()).getFileName();
            String json = text(new ClassModel(Trees.instance(task), unit).model(), "");
            Files.writeString(Path.of(args[0]).resolve(name + "_ast.json"), json + "\n");
        }
    }

    private Map<String, Object> model() {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("filePath", unit.getSourceFile().getName());
        model.put("uniqueId", id());
        model.put("imports", unit.getImports().stream().map(line -> line.toString().strip()).toList());
        List<Object> classes = new ArrayList<>();
        for (Tree type : unit.getTypeDecls()) {
            classes.add(ofClass((ClassTree) type));
        }
        model.put("classes", classes);
        return model;
    }

    private Map<String, Object> ofClass(ClassTree type) {
        Map<String, Object> model = new LinkedHashMap<>();
        Element element = element(type);
        describe(model, type.getSimpleName().toString(), element.toString(), element, type);
        model.put("isInterface", type.getKind() == Tree.Kind.INTERFACE);
        model.put("extendsList", type.getExtendsClause() == null ? "[]" : "[" + type.getExtendsClause() + "]");
        model.put("implementsList", "[" + type.getImplementsClause() + "]");
        List<Object> fields = new ArrayList<>(), constructors = new ArrayList<>(), methods = new ArrayList<>();
        for (Tree member : type.getMembers()) {
            if (member instanceof VariableTree field) {
                fields.add(ofField(element, field));
            } else if (member instanceof MethodTree method && trees.getSourcePositions().getEndPosition(unit, method) > 0) {
                (method.getReturnType() == null ? constructors : methods).add(ofMethod(element, method));
            }
        }
        model.put("fields", fields);
        model.put("constructors", constructors);
        model.put("methods", methods);
        return model;
    }

    private Map<String, Object> ofField(Element owner, VariableTree field) {
        Map<String, Object> model = new LinkedHashMap<>();
        describe(model, field.getName().toString(), owner + "." + field.getName(), element(field), field);
        model.put("declaredType", field.getType().toString());
        model.put("resolvedType", element(field).asType().toString());
        return model;
    }

    private Map<String, Object> ofMethod(Element owner, MethodTree method) {
        Map<String, Object> model = new LinkedHashMap<>();
        ExecutableElement element = (ExecutableElement) element(method);
        describe(model, element.getSimpleName().toString(), owner + "." + element.getSimpleName(), element, method);
        model.put("signature", element.toString());
        model.put("returnType", element.getReturnType().toString());
        model.put("parameters", method.getParameters().stream().map(each -> each.getName().toString()).toList());
        model.put("parameterTypes", element.getParameters().stream().map(each -> each.asType().toString()).toList());
        model.put("body", method.getBody() == null ? null : method.getBody().toString());
        List<Object> flow = new ArrayList<>(), calls = new ArrayList<>();
        new TreePathScanner<Void, Void>() {
            @Override
            public Void scan(Tree tree, Void none) {
                if (tree != null && FLOW.contains(tree.getKind())) {
                    flow.add(tree.getKind().toString());
                }
                return super.scan(tree, none);
            }

            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void none) {
                Element called = trees.getElement(getCurrentPath());
                Map<String, Object> told = new LinkedHashMap<>();
                told.put("methodName", called.getSimpleName().toString());
                told.put("sourceCode", call.toString());
                told.put("resolvedMethod", called.getEnclosingElement() + "." + called);
                told.put("returnType", ((ExecutableElement) called).getReturnType().toString());
                told.put("arguments", call.getArguments().stream().map(Object::toString).toList());
                told.put("uniqueId", id());
                calls.add(told);
                return super.visitMethodInvocation(call, none);
            }
        }.scan(trees.getPath(unit, method), null);
        model.put("controlFlowStatements", flow);
        model.put("methodCalls", calls);
        model.put("cyclomaticComplexity", 1 + flow.stream().filter(kind -> !kind.equals("TRY")).count());
        return model;
    }

    private void describe(Map<String, Object> model, String name, String qualified, Element element, Tree tree) {
        String comment = trees.getDocComment(trees.getPath(unit, tree));
        model.put("name", name);
        model.put("qualifiedName", qualified);
        model.put("modifiers", element.getModifiers().toString());
        model.put("isStatic", element.getModifiers().contains(Modifier.STATIC));
        model.put("isFinal", element.getModifiers().contains(Modifier.FINAL));
        model.put("isAbstract", element.getModifiers().contains(Modifier.ABSTRACT));
        model.put("comment", comment == null ? "No comment" : comment.strip());
        model.put("line", unit.getLineMap().getLineNumber(trees.getSourcePositions().getStartPosition(unit, tree)));
        model.put("uniqueId", id());
    }

    private Element element(Tree tree) {
        return trees.getElement(trees.getPath(unit, tree));
    }

    private String id() {
        return "AST_" + ++ids;
    }

    private static String text(Object value, String indent) {
        String deeper = indent + "  ";
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                .map(entry -> deeper + quoted(entry.getKey().toString()) + " : " + text(entry.getValue(), deeper))
                .collect(Collectors.joining(",\n", "{\n", "\n" + indent + "}"));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(each -> text(each, indent)).collect(Collectors.joining(", ", "[ ", " ]"));
        }
        return value instanceof String string ? quoted(string) : String.valueOf(value);
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\r", "\\r") + '"';
    }
}
